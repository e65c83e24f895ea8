/** The `smpp` package from npm, which knows nothing of ours, as the other end of a link. */
import { createRequire } from "node:module";
import type { EventEmitter } from "node:events";
import type { AddressInfo, Server } from "node:net";

export type PackagePdu = {
  readonly command: string;
  readonly command_status: number;
  readonly sequence_number: number;
  readonly system_id?: string;
  readonly password?: string;
  readonly source_addr?: string;
  readonly destination_addr?: string;
  readonly service_type?: string;
  readonly data_coding?: number;
  readonly short_message?: { readonly message: string | Buffer };
  readonly message_payload?: { readonly message: string | Buffer };
  readonly ussd_service_op?: number;
  readonly its_session_info?: Buffer;
  readonly user_message_reference?: number;
  readonly response: (fields?: Readonly<Record<string, unknown>>) => PackagePdu;
};
type Send = (
  fields: Readonly<Record<string, unknown>>,
  answered?: (pdu: PackagePdu) => void,
) => boolean;
export type PackageSession = EventEmitter & {
  readonly bind_transceiver: Send;
  readonly deliver_sm: Send;
  readonly submit_sm: Send;
  readonly enquire_link: Send;
  readonly send: (pdu: PackagePdu) => boolean;
  readonly destroy: () => void;
  readonly close: () => void;
};
type Package = {
  readonly createServer: (listener: (session: PackageSession) => void) => Server;
  readonly connect: (options: { readonly host: string; readonly port: number }) => PackageSession;
};

export const smppPackage = createRequire(import.meta.url)("smpp") as Package;

export async function listen(server: Server): Promise<number> {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return (server.address() as AddressInfo).port;
}

export function textOf(pdu: PackagePdu): string {
  const message = pdu.short_message?.message ?? "";
  return typeof message === "string" ? message : message.toString("latin1");
}
