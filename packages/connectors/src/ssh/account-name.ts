/**
 * A name that a Linux host may know an account by: a local one, or one of a directory (`ann@corp.example`,
 * `CORP\ann`, with blanks and letters of any script). It travels as data only: in the login, and on the
 * standard input of commands. Refused is what would end a field or a line there, look like an option, or is
 * special to shells and in no directory's names.
 */
export function isAccountName(name: string): boolean {
  return (
    name.length <= 256 &&
    /^[\p{L}\p{N}_](?:[\p{L}\p{M}\p{N} ._@\\+/'&()#%~^{}!-]*[\p{L}\p{M}\p{N}._@+/'&()#%~^{}!-])?\$?$/u.test(
      name,
    )
  );
}
