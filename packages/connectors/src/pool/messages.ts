import { z } from 'zod';
import type { Account, ConnectorContext, ConnectorType, Credential, RotationSecrets } from '../connector.ts';
import { TARGET_LIMITS } from '../limits.ts';

/**
 * The arguments of an operation. They contain secrets, so they travel only through the pipe to the worker,
 * never through a file or an argument.
 */
export type Call = { readonly type: ConnectorType; readonly target: unknown } & (
  | { readonly operation: 'test' | 'discover'; readonly credential: Credential }
  | { readonly operation: 'verify'; readonly account: Account; readonly secret: string }
  | { readonly operation: 'rotate'; readonly account: Account; readonly secrets: RotationSecrets }
);

/** Messages from the pool to a worker. */
export type ToWorker =
  | {
      readonly kind: 'job';
      readonly call: Call;
      readonly context: Pick<ConnectorContext, 'allow' | 'connectTimeoutMs' | 'operationTimeoutMs'>;
    }
  /** The answer to `may-change`. */
  | { readonly kind: 'may-change'; readonly forMs: number };

const text = z.string().max(2_000);

const testResult = z.strictObject({
  ok: z.boolean(),
  refused: z.boolean().exactOptional(),
  latencyMs: z.number().min(0),
  serverVersion: text.exactOptional(),
  hostKeyFingerprint: text.exactOptional(),
  problem: text.exactOptional(),
  hint: text.exactOptional(),
});

const unknownKind = z.enum([
  'configuration',
  'not_allowed',
  'unreachable',
  'untrusted',
  'protocol',
  'permission',
  'not_now',
  'not_possible',
]);

const verifyResult = z.discriminatedUnion('outcome', [
  z.strictObject({ outcome: z.literal('accepted') }),
  z.strictObject({ outcome: z.literal('refused'), reason: text, hint: text.exactOptional() }),
  z.strictObject({
    outcome: z.literal('unknown'),
    kind: unknownKind,
    reason: text,
    hint: text.exactOptional(),
  }),
]);

const rotateResult = z.discriminatedUnion('outcome', [
  z.strictObject({
    outcome: z.literal('applied'),
    blocked: z.strictObject({ reason: text, hint: text }).exactOptional(),
  }),
  z.strictObject({
    outcome: z.literal('refused'),
    kind: z.enum(['policy', 'authentication', 'permission', 'not_now', 'not_possible', 'unreachable']),
    reason: text,
    hint: text.exactOptional(),
  }),
  z.strictObject({ outcome: z.literal('ambiguous'), reason: text }),
]);

const accounts = z
  .array(
    z.strictObject({
      username: z.string().min(1).max(1_024),
      privileged: z.boolean(),
      canLogin: z.boolean(),
      lastPasswordChange: z.string().max(10).exactOptional(),
      details: z.record(z.string().max(60), z.string().max(TARGET_LIMITS.detailCharacters + 100)),
    }),
  )
  .max(TARGET_LIMITS.accounts);

/** The result schema of each operation: the pool accepts nothing else from a worker. */
export const results = { test: testResult, verify: verifyResult, rotate: rotateResult, accounts } as const;

/** Messages from a worker to the pool. */
export const fromWorkerSchema = z.discriminatedUnion('kind', [
  /** The worker has started. After a job, its result has the same meaning. */
  z.strictObject({ kind: z.literal('ready') }),
  z.strictObject({ kind: z.literal('may-change') }),
  /** Some of the accounts that `discover` found; `result` follows. */
  z.strictObject({ kind: z.literal('accounts'), accounts }),
  z.strictObject({ kind: z.literal('result'), result: z.unknown() }),
  z.strictObject({
    kind: z.literal('error'),
    error: z.enum(['authentication', ...unknownKind.options]),
    message: text,
    hint: text.exactOptional(),
  }),
]);

export type FromWorker = z.output<typeof fromWorkerSchema>;

/** Maximum length of one message of a worker; a batch of accounts fits. */
export const MAX_ANSWER_BYTES = 1024 * 1024;
/** Maximum length of all messages of one job together. */
export const MAX_JOB_ANSWER_BYTES = 16 * 1024 * 1024;
/** Accounts in one message; bounds the time to parse it. */
export const ACCOUNTS_PER_MESSAGE = 100;
