/** One way of having many clients of `bench.v1.Users`, each of a service at an address of its own. */
export interface Registry {
  register(addresses: readonly string[]): void | Promise<void>;
  /** The client of the address that was registered at `index`, ready to be called. */
  get(index: number): unknown;
}
