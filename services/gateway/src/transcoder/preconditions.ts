import { createHash } from 'node:crypto';
import type { HttpBinding, MethodInfo } from '@claviger/contracts';
import { ClavigerError } from '@claviger/errors';
import { invalidFields } from './fields-error.ts';
import type { Message } from './message-template.ts';

const VERSION_TAG = /^"(\d{1,10})(?:-[A-Za-z0-9_-]{1,43})?"$/;
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
 * condition. Undefined for reads, and for POST, which makes something new.
 */
export function conditions(method: MethodInfo, binding: HttpBinding): ApplyConditions | undefined {
  if (binding.method !== 'PUT' && binding.method !== 'PATCH' && binding.method !== 'DELETE') return undefined;
  const versioned = method.request.fields.find((field) => field.protoName === 'row_version');
  return (message, headers) => {
    if (headers['if-none-match'] !== undefined) throw unconditional('If-None-Match');
    const given = headers['if-match']?.trim();
    if (given === undefined || given === '*') return;
    if (!versioned) throw unconditional('If-Match');
    const version = Number(VERSION_TAG.exec(given)?.[1] ?? Number.NaN);
    if (Number.isNaN(version)) {
      throw new ClavigerError('precondition_failed', 'If-Match names no version of this object.', {
        hint: 'Send the one ETag of the object as it was read.',
      });
    }
    // Where its absence has no form of its own, 0 stands for it.
    const unset = message.rowVersion === undefined || (!versioned.optional && message.rowVersion === 0);
    if (!unset && message.rowVersion !== version) {
      throw invalidFields([{ pointer: '/rowVersion', detail: 'differs from If-Match' }]);
    }
    message.rowVersion = version;
  };
}

function unconditional(header: string): ClavigerError {
  return new ClavigerError('precondition_failed', 'This operation cannot be made conditional.', {
    code: 'unconditional',
    hint: `Leave ${header} out.`,
  });
}
