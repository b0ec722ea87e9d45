import type { KeyObject } from 'node:crypto';
import { open } from 'node:fs/promises';
import { CanonicalJsonError, ExportLineError, keyIdOf, type SignedTreeHead } from '@claviger/merkle';
import {
  KEYS,
  LEAVES,
  LOG_PROOF,
  MANIFEST_TYP,
  type Manifest,
  README,
  SUMMARY,
} from '../content/manifest.ts';
import { RowFileProblem } from '../content/row-file.ts';
import { TABLES, tableFiles } from '../content/tables.ts';
import { keyIdOfJws, verifyJws } from '../signed/jws.ts';
import { MemberProblem } from '../zip/inflate-member.ts';
import { type Layout, LayoutProblem, readLayout } from './layout.ts';
import { LogProblem } from './log-problem.ts';
import { packageReader } from './package-reader.ts';
import type { LogVerdict } from './verify-log.ts';
import { TableProblem, verifyTables } from './verify-tables.ts';

export interface VerifyPackageOptions {
  /** The keys believed. Without any, the package's own are, and the verdict says so. */
  readonly trustedKeys?: readonly KeyObject[] | undefined;
  /** Heads that were kept outside the server. */
  readonly knownHeads?: readonly SignedTreeHead[];
}

export interface PackageVerdict {
  /** True only when everything holds. */
  readonly ok: boolean;
  /** The first thing that does not. */
  readonly problem: string | null;
  /** What the package says of itself, as far as it could be read: to be believed only when all is well. */
  readonly manifest: Manifest | null;
  readonly keyId: string | null;
  /**
   * Whose word the signature is: a key that was believed before, one that the package brought, or nobody's.
   */
  readonly trust: 'trusted-key' | 'first-use' | 'none';
  /** Null when the package holds no events. */
  readonly log: LogVerdict | null;
}

/** The signature or the set of members does not hold. */
class ManifestProblem extends Error {}

const PROBLEMS = [
  CanonicalJsonError,
  ExportLineError,
  LayoutProblem,
  LogProblem,
  ManifestProblem,
  MemberProblem,
  RowFileProblem,
  TableProblem,
];

/**
 * Verifies a package with nothing but the file: each byte of the archive, the signature, each table against
 * its CSV, each event against the signed log. Memory does not grow with the file.
 *
 * @throws only when the file cannot be read.
 */
export async function verifyPackage(
  file: string,
  { trustedKeys = [], knownHeads = [] }: VerifyPackageOptions = {},
): Promise<PackageVerdict> {
  await using handle = await open(file, 'r');
  const verdict: { -readonly [K in keyof PackageVerdict]: PackageVerdict[K] } = {
    ok: false,
    problem: null,
    manifest: null,
    keyId: null,
    trust: 'none',
    log: null,
  };
  try {
    const layout = await readLayout(handle);
    verdict.manifest = layout.manifest;
    const reader = packageReader(handle, layout);
    const keys = trustedKeys.length > 0 ? trustedKeys : await reader.keys();
    verdict.keyId = requireSignature(layout, keys);
    verdict.trust = trustedKeys.length > 0 ? 'trusted-key' : 'first-use';
    requireMembers(layout.manifest);
    for (const name of [README, SUMMARY, KEYS]) await reader.check(name);
    verdict.log = await verifyTables(reader, layout.manifest, { keys, knownHeads });
    verdict.ok = true;
  } catch (error) {
    if (!(error instanceof Error) || !PROBLEMS.some((kind) => error instanceof kind)) throw error;
    verdict.problem =
      error instanceof ExportLineError ? `line ${error.line} of a member is ${error.message}` : error.message;
  }
  return verdict;
}

function requireSignature({ signature, manifestBytes }: Layout, keys: readonly KeyObject[]): string {
  const keyId = keyIdOfJws(MANIFEST_TYP, signature);
  if (keyId === undefined) throw new ManifestProblem('manifest.jws is not a signature of this format');
  const key = keys.find((each) => keyIdOf(each) === keyId);
  if (key === undefined)
    throw new ManifestProblem(`the manifest is signed by ${keyId}, which is not a believed key`);
  // Detached: the payload must not stand in it a second time.
  const detached = signature.split('.')[1] === '';
  if (!detached || !verifyJws(MANIFEST_TYP, signature, manifestBytes, key))
    throw new ManifestProblem('the signature of the manifest is wrong');
  return keyId;
}

/** Exactly the members that these sections have. */
function requireMembers({ parameters, tables, members }: Manifest): void {
  const wanted = TABLES.filter((table) => parameters.sections.includes(table.section)).map(
    ({ name }) => name,
  );
  if (tables.map(({ name }) => name).join() !== wanted.toSorted().join())
    throw new ManifestProblem('the tables are not those of the sections');
  const expected = [
    README,
    SUMMARY,
    KEYS,
    ...(wanted.includes('events') ? [LOG_PROOF, LEAVES] : []),
    ...wanted.flatMap((name) => Object.values(tableFiles(name))),
  ].toSorted();
  if (members.map(({ name }) => name).join() !== expected.join())
    throw new ManifestProblem('a member is missing, or does not belong here');
}
