import { startTopology } from '../support/topology.ts';
import { replicas } from './replicas.ts';
import { leadership } from './suites/leadership.ts';

leadership(
  startTopology(() => replicas),
  20,
);
