import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { otlpEndpointProblem } from './otlp-endpoint.ts';

const address = z.string().regex(/^.+:\d{1,5}$/, 'must be host:port');
const addresses = z.array(address).min(1);

/** Keys that every service has. Times and sizes have their unit in the name; secrets are paths of files. */
export const baseConfigSchema = z.strictObject({
  environment: z.enum(['development', 'production', 'test']),
  /** Name of this replica, e.g. `vault-1`. */
  node: z.string().min(1),
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  grpc: z.strictObject({
    /** Absent for a service that only calls others. */
    listen: address.optional(),
    certFile: z.string(),
    keyFile: z.string(),
    caFile: z.string(),
    /** How often the three files are checked for a renewal; 30 seconds by default. */
    renewalCheckMs: z.number().int().min(100).optional(),
  }),
  /** Plain HTTP for the probes /live and /ready. */
  health: z.strictObject({ listen: address }),
  peers: z.strictObject({
    auth: addresses.optional(),
    vault: addresses.optional(),
    workflow: addresses.optional(),
    audit: addresses.optional(),
  }),
  redis: z.strictObject({ host: z.string(), port: z.number().int(), passwordFile: z.string() }),
  nats: z.strictObject({ url: z.string(), user: z.string(), passwordFile: z.string() }),
  /** For services with leader duties. */
  cluster: z
    .strictObject({
      /**
       * How long Redis keeps the lease of a silent leader; 3 seconds by default. Then another replica leads.
       */
      leaseMs: z.number().int().min(300).max(60_000).optional(),
    })
    .optional(),
  telemetry: z
    .strictObject({
      /** Base URL of OTLP over HTTP with JSON; `/v1/traces` is appended. */
      otlpEndpoint: z
        .string()
        .superRefine((text, context) => {
          const problem = otlpEndpointProblem(text);
          if (problem) context.addIssue(problem);
        })
        .optional(),
    })
    .default({}),
});

export type BaseConfig = z.infer<typeof baseConfigSchema>;
export type Peer = keyof BaseConfig['peers'];

/**
 * Reads and validates a configuration file. Unknown keys are errors; the message lists each key and its
 * problem.
 */
export function loadConfig<T>(schema: z.ZodType<T>, file: string): T {
  let raw: unknown;
  try {
    raw = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new Error(`The configuration ${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.') || '(root)'}: ${issue.message}`);
  throw new Error(`The configuration ${file} is not valid:\n${lines.join('\n')}`);
}

export function splitAddress(value: string): { host: string; port: number } {
  const colon = value.lastIndexOf(':');
  return { host: value.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(value.slice(colon + 1)) };
}
