import { canonicalJson } from '@claviger/merkle';
import { z } from 'zod';
import { SECTIONS, TABLES } from './tables.ts';

export const PACKAGE_FORMAT = 'claviger-compliance-package/v1';
export const MANIFEST = 'manifest.json';
export const SIGNATURE = 'manifest.jws';
export const MANIFEST_TYP = 'claviger-compliance-manifest+jws';
export const LOG_PROOF = 'proofs/log.json';
export const LEAVES = 'proofs/leaves.json';
export const KEYS = 'proofs/keys.json';
export const SUMMARY = 'summary.pdf';
export const README = 'README.txt';

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const bytes = z.number().int().min(0).max(0xffff_ffff);
const day = z.string().regex(/^\d{4}-\d\d-\d\d$/);
const moment = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

const memberSchema = z.strictObject({
  name: z
    .string()
    .max(100)
    .regex(/^[A-Za-z0-9][A-Za-z0-9./-]*$/),
  size: bytes,
  sha256: hash,
  crc32: bytes,
  compressedSize: bytes,
  compressedSha256: hash,
});

export const manifestSchema = z.strictObject({
  format: z.literal(PACKAGE_FORMAT),
  tenantId: z.uuid(),
  reportId: z.uuid(),
  generator: z.strictObject({ name: z.literal('claviger'), version: z.string().max(40) }),
  parameters: z.strictObject({
    from: day,
    to: day,
    sections: z.array(z.enum(SECTIONS)).min(1),
    /** The CSV files begin with a byte order mark; absent if they do not. */
    bom: z.literal(true).optional(),
  }),
  /** The start of the report: data without a history is as of this time. */
  asOf: moment,
  tables: z.array(
    z.strictObject({
      name: z.enum(TABLES.map((table) => table.name)),
      rows: z.number().int().min(0),
      /** The time that the rows describe: the range, its end, or the time of the report. */
      basis: z.enum(['range', 'end-of-range', 'when-made']),
    }),
  ),
  /** In the order of the archive, after the manifest and its signature. */
  members: z.array(memberSchema).max(100),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type ManifestMember = z.infer<typeof memberSchema>;

/** The bytes that are signed: canonical JSON. */
export function manifestText(manifest: Manifest): string {
  return canonicalJson(manifest);
}

/** Parses a manifest; undefined unless the text is exactly its canonical form. */
export function parseManifest(text: string): Manifest | undefined {
  try {
    const parsed = manifestSchema.safeParse(JSON.parse(text));
    return parsed.success && manifestText(parsed.data) === text ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
