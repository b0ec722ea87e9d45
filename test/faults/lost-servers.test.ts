import { describe } from 'vitest';
import { startTopology } from '../support/topology.ts';
import { emergencyAccess } from './suites/breakglass.ts';
import { largeExport } from './suites/large-export.ts';
import { lostStores } from './suites/lost-stores.ts';
import { natsAway } from './suites/nats-away.ts';
import { siemDestinationDown } from './suites/siem-destination-down.ts';
import { tampering } from './suites/tampering.ts';

// One replica of each service; PostgreSQL, Redis, NATS and destinations stop, lose their data and restart.
const topology = startTopology(() => ({
  overrides: { vault: { rotation: { leaseSeconds: 3, settleSeconds: 1, backoffSeconds: 1 } } },
}));

describe('emergency access', () => emergencyAccess(topology));
describe('NATS away', () => natsAway(topology, 5_000));
describe('lost stores', () => lostStores(topology));
describe('SIEM', () => siemDestinationDown(topology));
describe('a large export', () => largeExport(topology, 10_000));
// Last, because it damages logs permanently.
describe('tampering', () => tampering(topology));
