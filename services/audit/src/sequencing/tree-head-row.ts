import type { SignedTreeHead } from '@claviger/merkle';
import type { TreeHeadsTable } from '../schema.ts';

/** The stored head as it was signed; its signature fails if the row was altered. */
export function headOfRow(row: TreeHeadsTable): SignedTreeHead {
  return {
    tenantId: row.tenant_id,
    size: row.size,
    rootHash: row.root_hash,
    timestamp: row.timestamp.toISOString(),
    previousRootHash: row.previous_root_hash,
    keyId: row.key_id,
    signature: row.signature,
  };
}

export function rowOfHead(head: SignedTreeHead): TreeHeadsTable {
  return {
    tenant_id: head.tenantId,
    size: head.size,
    root_hash: head.rootHash,
    previous_root_hash: head.previousRootHash,
    timestamp: new Date(head.timestamp),
    key_id: head.keyId,
    signature: head.signature,
  };
}
