import { Socket } from 'node:net';
import type { ConnectorContext } from '../connector.ts';
import { asConnectorError } from '../connector-error.ts';
import { connectorFor } from '../registry.ts';
import { readFrames, writeFrame } from './frames.ts';
import { ACCOUNTS_PER_MESSAGE, type Call, type FromWorker, type ToWorker } from './messages.ts';

/**
 * The process in which connectors run, one job at a time. It has no keys, no database, no environment
 * variables and no files except this source; everything it needs comes with the job. A compromise ends with
 * the process.
 */
const channel = new Socket({ fd: 3 });
// The service that started this worker has ended: nothing reads the answer.
channel.on('error', () => process.exit(1));
channel.on('close', () => process.exit(0));
channel.on('end', () => process.exit(0));

const tell = (message: FromWorker): void => writeFrame(channel, message);
let answerMayChange: ((forMs: number) => void) | undefined;

readFrames(
  channel,
  16 * 1024 * 1024,
  (received) => {
    const message = received as ToWorker;
    if (message.kind === 'job') void run(message);
    else answerMayChange?.(message.forMs);
  },
  () => process.exit(1),
);
tell({ kind: 'ready' });

async function run({ call, context }: Extract<ToWorker, { kind: 'job' }>): Promise<void> {
  try {
    // The pool kills this process to cancel an operation.
    tell({ kind: 'result', result: await perform(call, { ...context, mayChange, signal: neverAborted }) });
  } catch (error) {
    const { kind, message, hint } = asConnectorError(error);
    tell({ kind: 'error', error: kind, message, ...(hint === undefined ? {} : { hint }) });
  }
}

const neverAborted = new AbortController().signal;

function mayChange(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  answerMayChange = resolve;
  tell({ kind: 'may-change' });
  return promise;
}

async function perform(call: Call, ctx: ConnectorContext): Promise<unknown> {
  const connector = connectorFor(call.type);
  switch (call.operation) {
    case 'test':
      return connector.test(call.target, call.credential, ctx);
    case 'verify':
      return connector.verify(call.target, call.account, call.secret, ctx);
    case 'rotate':
      return connector.rotate(call.target, call.account, call.secrets, ctx);
    case 'discover': {
      const found = await connector.discover(call.target, call.credential, ctx);
      for (let at = 0; at < found.length; at += ACCOUNTS_PER_MESSAGE)
        tell({ kind: 'accounts', accounts: found.slice(at, at + ACCOUNTS_PER_MESSAGE) });
      return null;
    }
  }
}
