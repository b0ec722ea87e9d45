import { hostname } from 'node:os';
import type { TargetPolicy } from '@claviger/outbound';
import { sendOverHttps } from './send-over-https.ts';
import { sendOverTcp } from './send-over-tcp.ts';
import { sendOverUdp } from './send-over-udp.ts';
import type { SiemEvent } from './siem-event.ts';
import type { Sink } from './sink.ts';
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
  sink: Sink,
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
  if (sink.transport === 'https') return sendOverHttps(sink, events, way);
  const style = {
    format: sink.format,
    facility: sink.facility,
    hostname: hostname(),
    maxBytes: sink.maxMessageBytes,
  };
  const messages = events.map((event) => syslogMessage(event, style));
  if (sink.transport === 'syslog-udp') return sendOverUdp(sink, messages, way);
  return sendOverTcp(sink, messages.map(framed), way);
}
