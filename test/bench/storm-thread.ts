import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { parentPort, workerData } from 'node:worker_threads';

/**
 * Repeats costly calls in a thread of its own, so that reading the answers does not disturb the measurement.
 */
export interface Storm {
  readonly url: string;
  readonly caCertificate: string;
  readonly token: string;
  /** Concurrent calls of each kind. */
  readonly callers: number;
}

const { url, caCertificate, token, callers } = workerData as Storm;
const CALLS = {
  replay: ['POST', '/api/v1/pam/rules/replay', '{}'],
  lint: ['POST', '/api/v1/pam/rules/lint', '{}'],
  search: ['GET', '/api/v1/audit/events?search=not-to-be-found'],
  export: ['GET', '/api/v1/audit/events/export?format=csv'],
} as const;

const agent = new Agent({ ca: readFileSync(caCertificate), keepAlive: true });
/** Number of answers by status. */
const answers: Record<string, number> = {};
let isOver = false;

/** Reads the whole answer. */
function call(method: string, path: string, body?: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const outgoing = request(`${url}${path}`, { method, headers, agent }, (answer) => {
      answer.once('end', () => resolve(answer.statusCode ?? 0));
      answer.once('error', reject);
      answer.resume();
    });
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}

async function repeat(kind: keyof typeof CALLS): Promise<void> {
  const [method, path, body] = CALLS[kind];
  while (!isOver) {
    const status = await call(method, path, body).catch(() => 'broken');
    if (isOver) return;
    answers[`${kind} ${status}`] = (answers[`${kind} ${status}`] ?? 0) + 1;
  }
}

parentPort?.once('message', () => {
  isOver = true;
  agent.destroy();
  parentPort?.postMessage(answers);
});
for (const kind of Object.keys(CALLS) as (keyof typeof CALLS)[])
  for (let n = 0; n < callers; n += 1) void repeat(kind);
