import type { Bus } from '@claviger/events';
import { parseSignedTreeHead, type SignedTreeHead } from '@claviger/merkle';
import { TREE_HEAD_EVENT } from './seal-tenant.ts';

/** The newest head of each tenant that the bus keeps, not verified. Throws while it cannot be reached. */
export async function headsOnBus(bus: Pick<Bus, 'newest'>): Promise<Map<string, SignedTreeHead>> {
  const heads = new Map<string, SignedTreeHead>();
  for await (const { subject, payload } of bus.newest(`event.${TREE_HEAD_EVENT}`)) {
    const head = headOf(payload);
    // A head counts for the tenant that it is signed for.
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
