import type { KeyObject } from 'node:crypto';
import { canonicalJson, keyIdOf } from '@claviger/merkle';
import { z } from 'zod';
import { keyIdOfJws, signJws, verifyJws } from './signed/jws.ts';

export const ATTESTATION_FORMAT = 'claviger-attestation/v1';
export const ATTESTATION_TYP = 'claviger-attestation+jws';

const count = z.number().int().min(0);

export const controlSchema = z.strictObject({
  id: z.string(),
  title: z.string(),
  status: z.enum(['passed', 'failed', 'not_assessed']),
  examined: count,
  violations: count,
  detail: z.string(),
  computedFrom: z.string(),
});

const attestationSchema = z.strictObject({
  format: z.literal(ATTESTATION_FORMAT),
  tenantId: z.uuid(),
  issuedAt: z.string(),
  controls: z.array(controlSchema),
  treeSize: count,
  rootHash: z.string(),
  keyId: z.string(),
});

/** One control: what was examined, how many violate it, and the source of the numbers. */
export type Control = z.infer<typeof controlSchema>;
export type Attestation = z.infer<typeof attestationSchema>;
export type SignedAttestation = Attestation & { readonly jws: string };

/** @throws {TypeError} if the key is not an Ed25519 private key. */
export function signAttestation(
  content: Omit<Attestation, 'format' | 'keyId'>,
  privateKey: KeyObject,
): SignedAttestation {
  const attestation = { format: ATTESTATION_FORMAT, ...content, keyId: keyIdOf(privateKey) } as const;
  return {
    ...attestation,
    jws: signJws(ATTESTATION_TYP, Buffer.from(canonicalJson(attestation)), privateKey),
  };
}

/** Returns the problem of an attestation under the trusted keys; undefined if there is none. */
export function attestationProblem(value: unknown, keys: readonly KeyObject[]): string | undefined {
  const parsed = attestationSchema.extend({ jws: z.string() }).safeParse(value);
  if (!parsed.success) return 'it is not an attestation of this format';
  const { jws, ...content } = parsed.data;
  const keyId = keyIdOfJws(ATTESTATION_TYP, jws);
  if (keyId === undefined) return 'its jws is not a signature of this format';
  const key = keys.find((each) => keyIdOf(each) === keyId);
  if (key === undefined) return `it is signed by ${keyId}, which is not a trusted key`;
  const payload = Buffer.from(canonicalJson(content));
  if (content.keyId !== keyId || jws.split('.')[1] === '' || !verifyJws(ATTESTATION_TYP, jws, payload, key))
    return 'its signature is wrong, or its fields are not those that were signed';
  return undefined;
}
