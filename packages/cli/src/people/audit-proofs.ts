import { createPublicKey } from 'node:crypto';
import * as audit from '@claviger/contracts/audit/v1/audit';
import { parseSignedTreeHead, verifyInclusion, verifyTreeHead } from '@claviger/merkle';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { say, tell } from '../output.ts';
import { readPublicKeys } from './audit-files.ts';
import type { ConnectionOptions } from './connection.ts';
import { writeNewFile } from './new-file.ts';
import { withSession } from './session.ts';
import { fieldsText, showJson, tableText } from './show.ts';

export interface SaveOptions extends ConnectionOptions {
  readonly save?: string;
}
export interface ProofOptions extends ConnectionOptions {
  readonly treeSize?: number;
  readonly keys?: string;
}

const service = audit.AuditService;

export function treeHead(options: SaveOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const head = (await api.call(service.getTreeHead, {})).treeHead!;
    if (options.save !== undefined) {
      await writeNewFile(options.save, `${JSON.stringify(head)}\n`);
      tell(`the tree head is in ${options.save}: keep it where the server's operators cannot write`);
    }
    if (format === 'json') return showJson(head);
    say(
      fieldsText([
        ['events', head.size],
        ['root hash', head.rootHash],
        ['signed', head.timestamp],
        ['by key', head.keyId],
        ['tenant', head.tenantId],
      ]),
    );
  });
}

export function publicKeys(options: SaveOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { items } = await api.call(service.listKeys, {});
    if (options.save !== undefined) {
      await writeNewFile(options.save, `${JSON.stringify({ items }, undefined, 2)}\n`);
      tell(`the keys are in ${options.save}`);
    }
    if (format === 'json') return showJson({ items });
    say(
      tableText(
        [
          ['KEY ID', (row) => row.keyId],
          ['SIGNS', (row) => row.purpose],
        ],
        items,
      ),
    );
  });
}

/** Fetches an inclusion proof and checks it here, with the keys of a file when one is given. */
export function proveEvent(eventId: string, options: ProofOptions): Promise<ExitCode> {
  return withSession(options, async ({ api, format }) => {
    const { treeSize, keys: keyFile } = options;
    const proof = await api.call(service.getInclusionProof, {
      eventId,
      ...(treeSize === undefined ? {} : { treeSize }),
    });
    const keys =
      keyFile === undefined
        ? (await api.call(service.listKeys, {})).items.map(({ publicKey }) => createPublicKey(publicKey))
        : (await readPublicKeys(keyFile)).treeHead;
    const head = parseSignedTreeHead(proof.treeHead);
    const signed = head !== undefined && verifyTreeHead(head, keys);
    const included =
      head !== undefined &&
      verifyInclusion({
        leafHash: Buffer.from(proof.leafHash, 'hex'),
        index: proof.sequence,
        size: head.size,
        proof: proof.proof.map((hash) => Buffer.from(hash, 'hex')),
        root: Buffer.from(head.rootHash, 'hex'),
      });
    const ok = signed && included;
    if (format === 'json') showJson({ ok, signed, included, ...proof });
    else if (ok)
      say(
        `✔ event ${eventId} is number ${proof.sequence} of ${head.size}, under a head signed by ${head.keyId}`,
      );
    else
      say(
        `✘ ${signed ? 'the proof does not lead to the root of the tree head' : 'the tree head is not signed by a believed key'}`,
      );
    return ok ? EXIT.ok : EXIT.error;
  });
}
