/* Context variables beyond the public API. */
#ifndef KR_OBJECTS_CONTEXT_H
#define KR_OBJECTS_CONTEXT_H

/* Puts MISSING into Token: 0, or -1 with an exception set. */
int kr_context_init(void);

#endif
