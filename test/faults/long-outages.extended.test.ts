import { describe } from 'vitest';
import { startTopology } from '../support/topology.ts';
import { largeExport } from './suites/large-export.ts';
import { natsAway } from './suites/nats-away.ts';

const topology = startTopology(() => ({}));

describe('NATS away for a minute', () => natsAway(topology, 60_000));
// The allowed growth is far less than the export, and more than uncollected garbage.
describe('an export of 120 MB', () => largeExport(topology, 30_000, 160 * 1_024 * 1_024));
