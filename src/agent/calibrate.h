/* calibrate.h: what an event costs here and now, so that it can be subtracted. */
#pragma once

/* While events come, before the program begins: fills the costs in the segment's head. Leaves no trace in the trees. */
void calibrate(void);
