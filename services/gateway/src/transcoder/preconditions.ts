import { createHash } from 'node:crypto';
import type { HttpBinding, MethodInfo } from '@claviger/contracts';
import { ClavigerError } from '@claviger/errors';
import { headerInvalid } from '../edge/header-invalid.ts';
import { invalidFields } from './fields-error.ts';
import type { Message } from './message-template.ts';

/** One element of If-Match (RFC 9110, 8.8.3), which may be empty, up to the comma or the end behind it. */
const ELEMENT = /[ \t]*(?:(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*)?(?:,|$)/y;
const VERSION = /^([1-9]\d{0,9})(?:-[A-Za-z0-9_-]{1,43})?$/;
const MAX_VERSION = 2_147_483_647;
const TAG = /(?:W\/)?("[\x21\x23-\x7e]*")/g;

/**
 * The strong tag of an answer: the version that a change is made from, and a digest of all that is shown. What is shown
 * also changes without a new version (a lock, a last sign-in, a running rotation), and a cache must not hide that.
 */
export function entityTag(rowVersion: number, json: string): string {
  return `"${rowVersion}-${createHash('sha256').update(json).digest('base64url').slice(0, 16)}"`;
}

/** Whether If-None-Match names this tag (RFC 9110, 13.1.2: compared weakly). */
export function namesTag(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === '*') return true;
  return [...ifNoneMatch.matchAll(TAG)].some((match) => match[1] === tag);
}

/** Applies the conditions of a request to its message. */
export type ApplyConditions = (
  message: Message,
  headers: { readonly 'if-match'?: string | undefined; readonly 'if-none-match'?: string | undefined },
) => void;

/**
 * Compiles what conditions mean for a route that changes something: If-Match is the row version that the change is made
 * from. Where an operation cannot be conditional it is refused, because doing it anyway would break the caller's
 * condition. Undefined for reads, and for a POST without a version, which makes something new.
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
    // Where its absence has no form of its own, 0 stands for it.
    const unset = message.rowVersion === undefined || (!versioned.optional && message.rowVersion === 0);
    if (!unset && message.rowVersion !== version) {
      throw invalidFields([{ pointer: '/rowVersion', detail: 'differs from If-Match' }]);
    }
    message.rowVersion = version;
  };
}

/** What stands in the quotes of each strong tag of the list; a weak one never matches (RFC 9110, 13.1.1). */
function strongTags(ifMatch: string): string[] {
  const tags: string[] = [];
  let at = 0;
  for (let last = false; !last; ) {
    ELEMENT.lastIndex = at;
    const element = ELEMENT.exec(ifMatch);
    if (!element) {
      throw headerInvalid(
        'If-Match',
        'Send the ETag of the object as it was read, with its quotes, e.g. "3-mZ1xQ0a9Lw7vK2sT".',
      );
    }
    if (element[2] !== undefined && element[1] === undefined) tags.push(element[2]);
    at = ELEMENT.lastIndex;
    last = !element[0].endsWith(',');
  }
  return tags;
}

/** The one version that can match; a tag of no object, or of a version beyond the range, cannot. */
function onlyVersion(tags: readonly string[]): number {
  const versions = new Set(
    tags.map((tag) => Number(VERSION.exec(tag)?.[1])).filter((version) => version <= MAX_VERSION),
  );
  const [version] = versions;
  if (version !== undefined && versions.size === 1) return version;
  const detail =
    versions.size === 0
      ? 'If-Match names no version that this object can have.'
      : 'If-Match names several versions: a change is made from one.';
  throw new ClavigerError('precondition_failed', detail, {
    hint: 'Send the one ETag of the object as it was read.',
  });
}

function unconditional(header: string): ClavigerError {
  return new ClavigerError('precondition_failed', 'This operation cannot be made conditional.', {
    code: 'unconditional',
    hint: `Leave ${header} out.`,
  });
}
