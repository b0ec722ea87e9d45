import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { attestationProblem, signAttestation } from './attestation.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const attestation = signAttestation(
  {
    tenantId: '0d5c6a0e-6f43-4b8e-9d0b-0a4f6c0a7d11',
    issuedAt: '2026-03-20T08:00:00.000Z',
    controls: [
      {
        id: 'no-self-approval',
        title: 'Nobody approved their own request',
        status: 'passed',
        examined: 3,
        violations: 0,
        detail: '',
        computedFrom: 'decisions',
      },
    ],
    treeSize: 7,
    rootHash: 'ab'.repeat(32),
  },
  privateKey,
);

test('an attestation is verified with the key of its signer, and with no other', () => {
  expect(attestationProblem(attestation, [publicKey])).toBeUndefined();
  expect(attestationProblem(attestation, [generateKeyPairSync('ed25519').publicKey])).toContain(
    'not a trusted',
  );
});

test('no field of it can be changed, added or left out', () => {
  const { controls, treeSize: _, ...rest } = attestation;
  for (const changed of [
    { ...attestation, treeSize: 8 },
    { ...attestation, extra: 1 },
    { ...rest, controls },
    { ...attestation, controls: [{ ...controls[0], status: 'failed' }] },
    { ...attestation, keyId: '0'.repeat(16) },
    { ...attestation, jws: attestation.jws.replace('.', '..') },
    { ...attestation, jws: `${attestation.jws.split('.')[0]}..${attestation.jws.split('.')[2]}` },
    {},
    null,
  ])
    expect(attestationProblem(changed, [publicKey])).toBeDefined();
});
