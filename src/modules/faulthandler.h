/* The start and end of faulthandler. */
#ifndef KR_MODULES_FAULTHANDLER_H
#define KR_MODULES_FAULTHANDLER_H

/* Enables it if `on` (-X faulthandler); -1 with an exception set. */
int kr_faulthandler_init(int on);
void kr_faulthandler_fini(void);

#endif
