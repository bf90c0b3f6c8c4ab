/** One way of calling a service from within another, written as its own documentation would have it. */
export interface Contestant {
  readonly name: string;
  /** What a user of it installs, for versions, sizes and import times. */
  readonly packages: readonly string[];
  readonly passesOn: {
    readonly deadline: boolean;
    readonly cancellation: boolean;
  };
  /**
   * Serves `bench.v1.Frontend` and `bench.v1.Chain` on a port of 127.0.0.1 that is free, with clients of
   * `bench.v1.Users` and `bench.v1.Chain` at `upstream`, such as `127.0.0.1:50051`.
   */
  startFrontend(upstream: string): Promise<Frontend>;
}

export interface Frontend {
  readonly port: number;
  close(): Promise<void>;
}
