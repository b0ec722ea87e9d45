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
  /** What may be reached. */
  readonly policy: TargetPolicy;
  /** For lookup and TCP connect. Default 5,000. */
  readonly connectTimeoutMs?: number;
  /** From the first lookup until the sink has everything. Default 20,000. */
  readonly totalTimeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Sends events of one tenant, in their order. Resolves when the sink has all of them, as far as its transport
 * can tell; after an error it may have some. Throws OutboundError.
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
