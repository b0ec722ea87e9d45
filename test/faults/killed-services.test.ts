import { describe } from 'vitest';
import { startTopology } from '../support/topology.ts';
import { auditUnavailable } from './suites/audit-unavailable.ts';
import { elevationKilled } from './suites/elevation.ts';
import { idempotentCrash } from './suites/idempotent-crash.ts';
import { interruptedCalls } from './suites/interrupted-calls.ts';
import { killedWriters } from './suites/killed-writers.ts';
import { tenantStoreAway } from './suites/tenant-store-away.ts';

// One replica of each service, which the tests kill, stop and restart.
const topology = startTopology(() => ({}));

describe('audit unavailable', () => auditUnavailable(topology));
describe('idempotent calls', () => idempotentCrash(topology));
describe('interrupted calls', () => interruptedCalls(topology));
describe('killed writers', () => killedWriters(topology));
describe('a service away', () => tenantStoreAway(topology));
describe('elevations', () => elevationKilled(topology));
