/**
 * Whether a text contains invisible characters: control, zero-width and direction-changing characters, or a
 * lone surrogate. Such a text can look like another one.
 */
export function hasHiddenCharacter(text: string): boolean {
  return HIDDEN.test(text) || !text.isWellFormed();
}

const HIDDEN =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\uffff]|\u034f|\u17b4|\u17b5|[\u180b-\u180f]|[\ufe00-\ufe0f]|\udb40/;
