/**
 * Whether a Linux host may know an account by this name: a local account, or one of a directory
 * (`ann@corp.example`, `CORP\ann`, with blanks and letters of any script). The name is sent as data only: in
 * the login, and on the standard input of commands. Refuses characters that would end a field or a line of
 * that input, that look like an option, or that are special to shells and unused in directories.
 */
export function isAccountName(name: string): boolean {
  return (
    name.length <= 256 &&
    /^[\p{L}\p{N}_](?:[\p{L}\p{M}\p{N} ._@\\+/'&()#%~^{}!-]*[\p{L}\p{M}\p{N}._@+/'&()#%~^{}!-])?\$?$/u.test(
      name,
    )
  );
}
