import { parentPort } from 'node:worker_threads';
import { hostileBehaviours, startHostileTarget } from './hostile-target.ts';

// All hostile targets in one thread, separate from the event loop that is measured.
const targets = await Promise.all(
  hostileBehaviours.map(({ type, behaviour }) => startHostileTarget(type, behaviour)),
);
parentPort?.postMessage(
  targets.map(({ type, behaviour, port, settings }) => ({ type, behaviour, port, settings })),
);
