/** The prompt of the tour, placed in the composer ready to send. */
export const TOUR_PROMPT = 'tour'
