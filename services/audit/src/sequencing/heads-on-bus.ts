import type { Bus } from '@claviger/events';
import { parseSignedTreeHead, type SignedTreeHead } from '@claviger/merkle';
import { TREE_HEAD_EVENT } from './sequence-tenant.ts';

/** The newest head of each tenant in the NATS stream, not verified. Throws while NATS is unavailable. */
export async function headsOnBus(bus: Pick<Bus, 'newest'>): Promise<Map<string, SignedTreeHead>> {
  const heads = new Map<string, SignedTreeHead>();
  for await (const { subject, payload } of bus.newest(`event.${TREE_HEAD_EVENT}`)) {
    const head = headOf(payload);
    // A head counts only for the tenant it is signed for.
    if (head && subject.endsWith(`.${head.tenantId}`)) heads.set(head.tenantId, head);
  }
  return heads;
}

function headOf(payload: string): SignedTreeHead | undefined {
  try {
    return parseSignedTreeHead(JSON.parse(payload));
  } catch {
    return undefined;
  }
}
