import { describe } from 'vitest';
import { startTopology } from '../support/topology.ts';
import { replicas } from './replicas.ts';
import { leadership } from './suites/leadership.ts';
import { readOnlyDatabase } from './suites/read-only-database.ts';
import { rotationKillPoints } from './suites/rotation-kill-points.ts';
import { stoppedWorker } from './suites/stopped-worker.ts';

const topology = startTopology(() => replicas);

describe('leadership', () => leadership(topology, 4));
describe('a stopped worker', () => stoppedWorker(topology));
describe('killed rotations', () => rotationKillPoints(topology));
describe('a read-only database', () => readOnlyDatabase(topology));
