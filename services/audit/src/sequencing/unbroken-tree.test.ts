import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { EMPTY_FRONTIER, leafHash, signTreeHead } from '@claviger/merkle';
import { expect, test } from 'vitest';
import { requireUnbroken } from './unbroken-tree.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const root = leafHash('x').toString('hex');

const judge = (key: KeyObject) => () => {
  const timestamp = new Date().toISOString();
  const head = { tenantId: randomUUID(), size: 9, rootHash: root, timestamp, previousRootHash: root };
  requireUnbroken({ frontier: EMPTY_FRONTIER }, undefined, signTreeHead(head, key), publicKey);
};

test('only a larger head with a valid signature shows a restore; one with a wrong signature stops only its own log', () => {
  const stranger = generateKeyPairSync('ed25519').privateKey;
  expect(judge(privateKey)).toThrow(expect.objectContaining({ name: 'SequencingProblem', behind: true }));
  expect(judge(stranger)).toThrow(expect.objectContaining({ name: 'SequencingProblem', behind: false }));
});
