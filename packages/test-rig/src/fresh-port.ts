const usedPorts = new Set<number>();

/**
 * Whether this process has not had the port before. grpc-js keeps connections by their address, also of clients that are
 * closed: a client of a new server where an old one was would wait out the old one's back-off.
 */
export function isFresh(port: number): boolean {
  const fresh = !usedPorts.has(port);
  usedPorts.add(port);
  return fresh;
}
