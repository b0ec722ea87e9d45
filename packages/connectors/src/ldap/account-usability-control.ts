import { type BerReader, Control } from 'ldapts';

/**
 * A search control that asks the directory whether each account can log in under its policy. OpenLDAP since
 * 2.5 and 389 Directory Server support it; for other servers `usable` stays undefined.
 */
export class AccountUsabilityControl extends Control {
  usable: boolean | undefined;
  /** Time until a lock ends by itself. */
  secondsBeforeUnlock: number | undefined;

  constructor() {
    super('1.3.6.1.4.1.42.2.27.9.5.8');
  }

  override parseControl(reader: BerReader): void {
    this.usable = reader.peek() === AVAILABLE;
    if (this.usable || reader.readSequence(NOT_AVAILABLE) === null) return;
    for (let tag = reader.peek(); tag !== null; tag = reader.peek()) {
      const value = reader.readTag(tag);
      if (value === null) return;
      if (tag === SECONDS_BEFORE_UNLOCK && value > 0) this.secondsBeforeUnlock = value;
    }
  }
}

const AVAILABLE = 0x80;
const NOT_AVAILABLE = 0xa1;
const SECONDS_BEFORE_UNLOCK = 0x84;
