/** Which backend a dialled string reaches. */
import type { Backend, Dialled, ServiceCode } from "../types.ts";
import { asServiceCode, digitsAfter } from "./address.ts";

export type Route = { readonly backend: Backend; readonly digits: readonly string[] };
export type Routes = ReadonlyMap<ServiceCode, Backend>;

/**
 * Longest registered prefix wins (DESIGN §5): "*365*2*500#" reaches "*365#" when nothing longer
 * is registered. Looks at each prefix of what was dialled, never at each backend.
 */
export function findRoute(routes: Routes, dialled: Dialled): Route | undefined {
  for (let end = dialled.length - 1; end > 0; end = dialled.lastIndexOf("*", end - 1)) {
    const code = asServiceCode(`${dialled.slice(0, end)}#`);
    const backend = code && routes.get(code);
    if (code !== undefined && backend) return { backend, digits: digitsAfter(code, dialled) };
  }
  return undefined;
}
