import { createOutboundClient, OutboundError } from '@claviger/outbound';
import { jsonEvent } from './json-event.ts';
import type { SiemEvent } from './siem-event.ts';
import type { HttpsSink } from './sink.ts';
import type { Way } from './way.ts';

/** POSTs a batch as JSON. Uses only the status of the answer. */
export async function sendOverHttps(sink: HttpsSink, events: readonly SiemEvent[], way: Way): Promise<void> {
  const client = createOutboundClient({
    policy: way.policy,
    allowAddresses: true,
    trust: sink.ca === '' ? { mode: 'system' } : { mode: 'ca', ca: sink.ca },
    connectTimeoutMs: way.connectTimeoutMs,
    totalTimeoutMs: way.totalTimeoutMs,
  });
  const { status } = await client.request({
    url: sink.url,
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'idempotency-key': idempotencyKey(events),
      ...(sink.token === '' ? {} : { authorization: `${sink.tokenScheme} ${sink.token}` }),
    },
    body: `{"events":[\n${events.map((event) => jsonEvent(event)).join(',\n')}\n]}\n`,
    // The token and the events are for this address only.
    redirect: 'manual',
    signal: way.signal,
  });
  if (status < 200 || status > 299)
    throw new OutboundError('protocol', `The sink answered with status ${status}.`, {
      sent: true,
      hint:
        status === 401 || status === 403
          ? 'Check the token of the target.'
          : 'See the log of the sink for the reason.',
    });
}

/** Equal for equal batches, so that the destination can detect a repetition. */
function idempotencyKey(events: readonly SiemEvent[]): string {
  const [first, last] = [events[0]!, events.at(-1)!];
  if (first.sequence === undefined || last.sequence === undefined) return first.id;
  return `${first.tenantId}-${first.sequence}-${last.sequence}`;
}
