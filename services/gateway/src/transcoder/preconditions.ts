import type { HttpBinding, MethodInfo } from '@claviger/contracts';
import { ClavigerError } from '@claviger/errors';
import { invalidFields } from './fields-error.ts';
import type { Message } from './message-template.ts';

const STRONG_TAG = /^"(\d{1,10})"$/;

export function entityTag(rowVersion: number): string {
  return `"${rowVersion}"`;
}

/** Applies an If-Match header to the request message. */
export type ApplyIfMatch = (message: Message, ifMatch: string) => void;

/**
 * Compiles what If-Match means for a route: the row version that the change is made from. Where an operation cannot be
 * conditional it is refused, because doing it anyway would break the caller's condition. Undefined for reads.
 */
export function ifMatch(method: MethodInfo, binding: HttpBinding): ApplyIfMatch | undefined {
  if (binding.method !== 'PUT' && binding.method !== 'PATCH' && binding.method !== 'DELETE') return undefined;
  const versioned = method.request.fields.some((field) => field.protoName === 'row_version');
  return (message, header) => {
    if (header.trim() === '*') return;
    if (!versioned) {
      throw new ClavigerError('precondition_failed', 'This operation cannot be made conditional.', {
        code: 'unconditional',
        hint: 'Leave If-Match out.',
      });
    }
    const version = Number(STRONG_TAG.exec(header.trim())?.[1] ?? Number.NaN);
    if (Number.isNaN(version)) {
      throw new ClavigerError('precondition_failed', 'If-Match names no version of this object.', {
        hint: 'Send the ETag of the object as it was read, e.g. "3".',
      });
    }
    if (message.rowVersion !== undefined && message.rowVersion !== version) {
      throw invalidFields([{ pointer: '/rowVersion', detail: 'differs from If-Match' }]);
    }
    message.rowVersion = version;
  };
}
