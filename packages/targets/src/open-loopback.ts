/**
 * Rules of `@claviger/outbound` for tests of packages: every port of loopback is open, and there are no own
 * servers.
 */
export const openLoopback = {
  ownServers: [],
  openTargets: ['127.0.0.1', '127.0.0.2', '::1'].map((host) => ({ host, from: 1, to: 65_535 })),
};
