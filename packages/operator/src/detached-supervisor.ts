/**
 * The process behind `claviger up --detach`. `detach.ts` starts it with a channel, over which it receives the
 * request, reports its progress and answers once.
 */
import { supervise, type UpRequest, untilAskedToStop } from './supervise.ts';

/** Messages to the command. */
export type SupervisorMessage =
  | { readonly kind: 'progress'; readonly line: string }
  | { readonly kind: 'ready'; readonly result: Awaited<ReturnType<typeof supervise>>['result'] }
  | { readonly kind: 'failed'; readonly message: string };

/** Sends nothing if the command has ended; only its progress display is lost. */
const send = (message: SupervisorMessage): Promise<void> =>
  new Promise((resolve) => {
    if (!process.connected || process.send?.(message, () => resolve()) === undefined) resolve();
  });

const tell = (line: string) => {
  console.log(`${new Date().toISOString()} ${line}`);
  void send({ kind: 'progress', line });
};

const request = await new Promise<UpRequest>((resolve) => {
  process.once('message', (message) => resolve(message as UpRequest));
});
const asked = untilAskedToStop();
try {
  const { installation, result } = await supervise(request, tell);
  await send({ kind: 'ready', result });
  if (process.connected) process.disconnect?.();
  tell(`stopping (${await asked})`);
  await installation.stop();
  process.exit(0);
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  console.error(message);
  await send({ kind: 'failed', message });
  process.exit(1);
}
