import { connect, type Socket } from 'node:net';
import ipaddr from 'ipaddr.js';
import { unmapped } from './embedded-addresses.ts';
import { OutboundError } from './outbound-error.ts';
import { type Lookup, resolveTarget, type VettedTarget } from './resolve-target.ts';
import type { TargetPolicy } from './target-policy.ts';

/** The allowed targets and the time limit to connect. */
export interface Reach {
  readonly allow: TargetPolicy;
  /** Limit for name lookup and TCP connect together. */
  readonly connectTimeoutMs: number;
}

/** A connected socket and its remote address. */
export interface OpenSocket {
  readonly socket: Socket;
  readonly target: VettedTarget;
  readonly address: string;
}

/**
 * Resolves, checks and connects within `connectTimeoutMs`. The socket is destroyed when `signal` aborts, at
 * any time. Throws OutboundError (`configuration`, `not_allowed`, `unreachable`).
 */
export async function openSocket(
  host: string,
  port: number,
  reach: Reach,
  signal: AbortSignal,
  lookup?: Lookup,
): Promise<OpenSocket> {
  const connecting = AbortSignal.any([signal, AbortSignal.timeout(reach.connectTimeoutMs)]);
  const target = await orAborted(resolveTarget(host, port, reach.allow, lookup), connecting);
  let lastFailure: unknown;
  for (const address of target.addresses) {
    try {
      const socket = await connectTo(address, port, connecting);
      destroyOnAbort(socket, signal);
      return { socket, target, address };
    } catch (error) {
      lastFailure = error;
      if (connecting.aborted) break;
    }
  }
  throw lastFailure;
}

function timeOver(): OutboundError {
  return new OutboundError(
    'unreachable',
    'The target did not answer in time, or the operation was cancelled.',
  );
}

async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(timeOver());
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function connectTo(address: string, port: number, signal: AbortSignal): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  if (signal.aborted) throw timeOver();
  const socket = connect({ host: address, port, noDelay: true, keepAlive: true, autoSelectFamily: false });
  const settle = () => {
    signal.removeEventListener('abort', onAbort);
    socket.off('error', onError);
    socket.off('connect', onConnect);
  };
  const onAbort = () => {
    settle();
    socket.destroy();
    reject(timeOver());
  };
  const onError = (cause: NodeJS.ErrnoException) => {
    settle();
    reject(
      new OutboundError(
        'unreachable',
        `The target could not be reached (${cause.code ?? 'network error'}).`,
        {
          cause,
          hint: 'Check that the target is running and that its port is open from here.',
        },
      ),
    );
  };
  const onConnect = () => {
    settle();
    if (isPeer(socket, address, port)) return resolve(socket);
    socket.destroy();
    reject(new OutboundError('untrusted', 'The connection ended at an address other than the one checked.'));
  };
  signal.addEventListener('abort', onAbort, { once: true });
  socket.once('error', onError);
  socket.once('connect', onConnect);
  return promise;
}

function isPeer(socket: Socket, address: string, port: number): boolean {
  const { remoteAddress, remotePort } = socket;
  if (remoteAddress === undefined || !ipaddr.isValid(remoteAddress)) return false;
  return remotePort === port && unmapped(ipaddr.parse(remoteAddress)).toString() === address;
}

function destroyOnAbort(socket: Socket, signal: AbortSignal): void {
  const onAbort = () => {
    socket.destroy(timeOver());
  };
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  socket.once('close', () => signal.removeEventListener('abort', onAbort));
}
