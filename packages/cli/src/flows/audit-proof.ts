import { createPublicKey } from 'node:crypto';
import type * as audit from '@claviger/contracts/audit/v1/audit';
import { parseSignedTreeHead, verifyInclusion, verifyTreeHead } from '@claviger/merkle';
import { EXIT, type ExitCode } from '@claviger/terminal/exit-codes';
import { say } from '@claviger/terminal/output';
import { readPublicKeys } from '@claviger/verify/audit-files';
import type { Running } from '../contract/noun.ts';
import { printForPrograms } from '../contract/print-answer.ts';

/** Fetches an inclusion proof and verifies it locally, with the keys of a file if one is given. */
export async function proveEvent(
  { invoke, format, options }: Running,
  request: Record<string, unknown>,
): Promise<ExitCode> {
  const proof = await invoke<audit.GetInclusionProofResponse>('GetInclusionProof', request);
  const keyFile = options.keys as string | undefined;
  const keys =
    keyFile === undefined
      ? (await invoke<audit.ListKeysResponse>('ListKeys', {})).items.map(({ publicKey }) =>
          createPublicKey(publicKey),
        )
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
  if (await printForPrograms(format, { ok, signed, included, ...proof })) return ok ? EXIT.ok : EXIT.error;
  if (ok)
    say(
      `✔ event ${proof.eventId} is number ${proof.sequence} of ${head.size}, under a head signed by ${head.keyId}`,
    );
  else
    say(
      `✘ ${signed ? 'the proof does not lead to the root of the tree head' : 'the tree head is not signed by a trusted key'}`,
    );
  return ok ? EXIT.ok : EXIT.error;
}
