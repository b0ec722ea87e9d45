/**
 * What runs at the same time (the files of two workers, and the installation that the network tests share, which has no worker) draws
 * ports from ranges of its own. Otherwise one could take a port that another has drawn and not listened on yet, or has left for a
 * moment to come back to it: after a kill, or between two starts.
 */
const ranges = 4;
const width = 3_500;
const lowest = 18_000 + (Number(process.env.VITEST_POOL_ID ?? 0) % ranges) * width;
process.env.CLAVIGER_PORT_RANGE = `${lowest}-${lowest + width - 1}`;
