/** Rows in one page: about 200 KiB. */
export const PAGE_SIZE = 500;
