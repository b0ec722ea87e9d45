import { createHash } from 'node:crypto';
import type { HttpBinding, MethodInfo } from '@claviger/contracts';
import { ClavigerError } from '@claviger/errors';
import { headerInvalid } from '../edge/header-invalid.ts';
import { invalidFields } from './fields-error.ts';
import type { Message } from './message-template.ts';

/** One element of If-Match (RFC 9110, 8.8.3), possibly empty, up to its comma or the end. */
const ELEMENT = /[ \t]*(?:(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*)?(?:,|$)/y;
const VERSION = /^([1-9]\d{0,9})(?:-[A-Za-z0-9_-]{1,43})?$/;
const MAX_VERSION = 2_147_483_647;
const TAG = /(?:W\/)?("[\x21\x23-\x7e]*")/g;

/**
 * The strong tag of an answer: its row version and a digest of the JSON. The JSON can change without a new
 * version (a lock, a last sign-in, a running rotation), which caches must notice.
 */
export function entityTag(rowVersion: number, json: string): string {
  return `"${rowVersion}-${createHash('sha256').update(json).digest('base64url').slice(0, 16)}"`;
}

/** Whether If-None-Match contains this tag (weak comparison, RFC 9110, 13.1.2). */
export function namesTag(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === '*') return true;
  return [...ifNoneMatch.matchAll(TAG)].some((match) => match[1] === tag);
}

/** Applies the preconditions of a request to its message. */
export type ApplyConditions = (
  message: Message,
  headers: { readonly 'if-match'?: string | undefined; readonly 'if-none-match'?: string | undefined },
) => void;

/**
 * Compiles the preconditions of a route that changes something: If-Match is the row version that the change
 * starts from. Operations without a version refuse conditions: ignoring one could make a change that the
 * client did not want. Undefined for reads and for a POST that creates an object.
 */
export function conditions(method: MethodInfo, binding: HttpBinding): ApplyConditions | undefined {
  const versioned = method.request.fields.find((field) => field.protoName === 'row_version');
  if (binding.method === 'GET' || (binding.method === 'POST' && !versioned)) return undefined;
  return (message, headers) => {
    if (headers['if-none-match'] !== undefined) throw unconditional('If-None-Match');
    const given = headers['if-match']?.trim();
    if (given === undefined || given === '*') return;
    const tags = strongTags(given);
    if (!versioned) throw unconditional('If-Match');
    const version = onlyVersion(tags);
    // In a field without presence, 0 means unset.
    const unset = message.rowVersion === undefined || (!versioned.optional && message.rowVersion === 0);
    if (!unset && message.rowVersion !== version) {
      throw invalidFields([{ pointer: '/rowVersion', detail: 'differs from If-Match' }]);
    }
    message.rowVersion = version;
  };
}

/** The quoted text of each strong tag in the list; weak tags never match (RFC 9110, 13.1.1). */
function strongTags(ifMatch: string): string[] {
  const tags: string[] = [];
  let at = 0;
  for (let last = false; !last; ) {
    ELEMENT.lastIndex = at;
    const element = ELEMENT.exec(ifMatch);
    if (!element) {
      throw headerInvalid(
        'If-Match',
        'Send the ETag from reading the object, with its quotes, e.g. "3-mZ1xQ0a9Lw7vK2sT".',
      );
    }
    if (element[2] !== undefined && element[1] === undefined) tags.push(element[2]);
    at = ELEMENT.lastIndex;
    last = !element[0].endsWith(',');
  }
  return tags;
}

/** Returns the one version that can match. A tag that is no version, or is out of range, cannot match. */
function onlyVersion(tags: readonly string[]): number {
  const versions = new Set(
    tags.map((tag) => Number(VERSION.exec(tag)?.[1])).filter((version) => version <= MAX_VERSION),
  );
  const [version] = versions;
  if (version !== undefined && versions.size === 1) return version;
  const detail =
    versions.size === 0
      ? 'If-Match contains no valid version of this object.'
      : 'If-Match contains several versions: a change starts from one.';
  throw new ClavigerError('precondition_failed', detail, {
    hint: 'Send the ETag from reading the object.',
  });
}

function unconditional(header: string): ClavigerError {
  return new ClavigerError('precondition_failed', 'This operation cannot be made conditional.', {
    code: 'unconditional',
    hint: `Remove the header ${header}.`,
  });
}
