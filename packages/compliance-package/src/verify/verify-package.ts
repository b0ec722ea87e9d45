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
  /** The trusted keys. Without any, the keys in the package are trusted, and the verdict says so. */
  readonly trustedKeys?: readonly KeyObject[] | undefined;
  /** Heads that were kept outside the server. */
  readonly knownHeads?: readonly SignedTreeHead[];
}

export interface PackageVerdict {
  /** True only if there is no problem. */
  readonly ok: boolean;
  /** The first problem. */
  readonly problem: string | null;
  /** The manifest as far as it could be read; trustworthy only if `ok`. */
  readonly manifest: Manifest | null;
  readonly keyId: string | null;
  /** Whose key verified the signature: a trusted key, one from the package, or none. */
  readonly trust: 'trusted-key' | 'first-use' | 'none';
  /** Null if the package contains no events. */
  readonly log: LogVerdict | null;
}

/** The signature or the set of members is not valid. */
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
 * Verifies a package with only the file: each byte of the archive, the signature, each table against its CSV,
 * each event against the signed log. Uses constant memory.
 *
 * @throws only if the file cannot be read.
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
    throw new ManifestProblem(`the manifest is signed by ${keyId}, which is not a trusted key`);
  // Detached: the JWS must not contain the payload again.
  const detached = signature.split('.')[1] === '';
  if (!detached || !verifyJws(MANIFEST_TYP, signature, manifestBytes, key))
    throw new ManifestProblem('the signature of the manifest is wrong');
  return keyId;
}

/** Requires exactly the members of these sections. */
function requireMembers({ parameters, tables, members }: Manifest): void {
  const wanted = TABLES.filter((table) => parameters.sections.includes(table.section)).map(
    ({ name }) => name,
  );
  if (tables.map(({ name }) => name).join() !== wanted.toSorted().join())
    throw new ManifestProblem('the tables do not match the sections');
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
