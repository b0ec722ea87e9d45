import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { macKeyOf } from '@claviger/events';
import { readSecretFile } from '@claviger/service-kit';
import type { AuditConfig } from './config.ts';

export interface AuditKeys {
  readonly treeHead: KeyObject;
  readonly treeHeadPublic: KeyObject;
  readonly receiptPublic: KeyObject;
  /** This service's own key. */
  readonly outboxMac: Buffer;
  /** By the name of the service that writes events. */
  readonly macs: ReadonlyMap<string, KeyObject>;
}

/**
 * Reads all keys from their files. Throws when one is missing or of another type, because events must not be
 * sequenced without it.
 */
export function readKeys(config: AuditConfig): AuditKeys {
  const treeHead = createPrivateKey(readSecretFile(config.treeHeadKeyFile));
  const receiptPublic = createPublicKey(readSecretFile(config.receiptPublicKeyFile));
  for (const [file, key] of [
    [config.treeHeadKeyFile, treeHead],
    [config.receiptPublicKeyFile, receiptPublic],
  ] as const) {
    if (key.asymmetricKeyType !== 'ed25519') throw new Error(`${file} does not contain an Ed25519 key.`);
  }
  return {
    treeHead,
    treeHeadPublic: createPublicKey(treeHead),
    receiptPublic,
    outboxMac: Buffer.from(readSecretFile(config.outboxMacKeyFile)),
    macs: new Map(
      Object.entries(config.outboxMacKeyFiles).map(([service, file]) => [
        service,
        macKeyOf(Buffer.from(readSecretFile(file))),
      ]),
    ),
  };
}
