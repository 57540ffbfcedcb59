/* Corrections to pyconfig.h for macOS.
   Nothing to correct on the platforms we run on. */
#ifndef PYMACCONFIG_H
#define PYMACCONFIG_H

#endif
