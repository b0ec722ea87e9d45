import { hostname } from 'node:os';
import type { TargetPolicy } from '@claviger/outbound';
import type { Destination } from './destination.ts';
import { sendOverHttps } from './send-over-https.ts';
import { sendOverTcp } from './send-over-tcp.ts';
import { sendOverUdp } from './send-over-udp.ts';
import type { SiemEvent } from './siem-event.ts';
import { framed, syslogMessage } from './syslog-message.ts';
import type { Way } from './way.ts';

export interface SendOptions {
  /** The allowed targets. */
  readonly policy: TargetPolicy;
  /** Limit for name lookup and TCP connect. Default 5,000. */
  readonly connectTimeoutMs?: number;
  /** Limit from the first lookup until the destination has everything. Default 20,000. */
  readonly totalTimeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Sends events of one tenant in order. Resolves when the destination has all of them, as far as the transport
 * can confirm; after an error it may have some. Throws OutboundError.
 */
export async function sendEvents(
  destination: Destination,
  events: readonly SiemEvent[],
  options: SendOptions,
): Promise<void> {
  if (events.length === 0) return;
  const { policy, connectTimeoutMs = 5_000, totalTimeoutMs = 20_000, signal } = options;
  const timeOver = AbortSignal.timeout(totalTimeoutMs);
  const way: Way = {
    policy,
    connectTimeoutMs,
    totalTimeoutMs,
    signal: signal ? AbortSignal.any([signal, timeOver]) : timeOver,
  };
  if (destination.transport === 'https') return sendOverHttps(destination, events, way);
  const style = {
    format: destination.format,
    facility: destination.facility,
    hostname: hostname(),
    maxBytes: destination.maxMessageBytes,
  };
  const messages = events.map((event) => syslogMessage(event, style));
  if (destination.transport === 'syslog-udp') return sendOverUdp(destination, messages, way);
  return sendOverTcp(destination, messages.map(framed), way);
}
