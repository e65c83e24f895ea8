/** By itself: who installs the package has no types of pg, and needs none for this. */
export type PostgresAppStoreOptions = {
  /** postgresql://user:password@host:port/database */
  readonly url: string;
  readonly connectionsMax?: number;
  /** Told of connections that broke and sweeps that failed; by default they are printed. */
  readonly report?: (error: unknown) => void;
};
