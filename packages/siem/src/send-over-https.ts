import { createOutboundClient, OutboundError } from '@claviger/outbound';
import type { HttpsDestination } from './destination.ts';
import { jsonEvent } from './json-event.ts';
import type { SiemEvent } from './siem-event.ts';
import type { Way } from './way.ts';

/** POSTs a batch as JSON. Uses only the status of the answer. */
export async function sendOverHttps(
  destination: HttpsDestination,
  events: readonly SiemEvent[],
  way: Way,
): Promise<void> {
  const client = createOutboundClient({
    policy: way.policy,
    allowAddresses: true,
    trust: destination.ca === '' ? { mode: 'system' } : { mode: 'ca', ca: destination.ca },
    connectTimeoutMs: way.connectTimeoutMs,
    totalTimeoutMs: way.totalTimeoutMs,
  });
  const { status } = await client.request({
    url: destination.url,
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'idempotency-key': idempotencyKey(events),
      ...(destination.token === ''
        ? {}
        : { authorization: `${destination.tokenScheme} ${destination.token}` }),
    },
    body: `{"events":[\n${events.map((event) => jsonEvent(event)).join(',\n')}\n]}\n`,
    // The token and the events must not reach another address.
    redirect: 'manual',
    signal: way.signal,
  });
  if (status < 200 || status > 299)
    throw new OutboundError('protocol', `The destination answered with status ${status}.`, {
      sent: true,
      hint:
        status === 401 || status === 403
          ? 'Check the token of the destination.'
          : 'See the log of the destination for the reason.',
    });
}

/** Returns the same key for the same batch, so that the destination can detect a repetition. */
function idempotencyKey(events: readonly SiemEvent[]): string {
  const [first, last] = [events[0]!, events.at(-1)!];
  if (first.sequence === undefined || last.sequence === undefined) return first.id;
  return `${first.tenantId}-${first.sequence}-${last.sequence}`;
}
