"""Version of each stage: raised when the numbers, files or figures that come out of it change.

They stand here, and not in the stages, because every run looks at them, and a stage
brings its libraries with it.
"""

from __future__ import annotations

HEADERS = 2
"""Of the code that reads headers; a dialect that is declared otherwise is seen without it. Headers are then
read again, and where they say the same, nothing else is made again; so it does not count for `SCIENCE`: raise
PREPROCESS too if it moves the times, exposures or gains of frames that were read before. 2: times that the
settings name are believed alone."""
PREPROCESS = 3
"""2: level from a sample of the pixels. 3: frames in twilight are left out."""
MASTERS = 3
"""2: overscan, non-linearity, the map of bad pixels. 3: flats by their light."""
REGISTRATION = 4
"""2: large frames are binned further; flat and gain are one factor; bad pixels take the mean beside them.
3: hot pixels no longer tell how wide stars are. 4: stars that are rings, out of focus, are found; bias and
dark are one level; fits of the FWHM end at the best, Gaussian stars too."""
TEMPLATE = 3
"""2: transparency and remarks. 3: a frame out of focus among sharp ones is poor."""
PHOTOMETRY = 4
"""2: flat and gain are one factor: a part in ten million; faint stars and neighbours are forced.
3: the wings of bright stars are kept out of the annuli; levels of digitised skies. 4: bias and dark are one
level: a part in ten million; optimal apertures are on the scale of plain ones, for the stars that gain by
them."""
CALIBRATION = 9
"""3: cosmic rays are left out; what can bias a night is flagged. 4: each remark once; noise models of larger
amplitude; what the fit was given is kept; limb darkening by choice; stars of another colour than the target
weigh less. 5: weights of another profile. 6: a weak prior on the radius ratio; a transit that is not
measured is no fit. 7: sets of trend terms are judged about their own transits. 8: no edge of a bin is where
a point may be; errors have in them that the terms were chosen, and what the same fit finds in the comparison
stars. 9: derivatives of the transit are exact; fewer mid-times are weighed, without a width of their own."""
PLOTTING = 8
"""3: scatter in bins as in the results. 4: the noise of the sky level is that of its estimator.
5: the frames in the last line. 6: bins hold two frames at least. 7: those of
several filters too. 8: the model is a smooth line between frames, too."""
PACKAGING = 6
"""3: apparent magnitudes, from those of the catalogue; positions by the solution of each frame. 4: radii that
follow the seeing are in table and notes, weighted pixels in the notes. 5: how faint the stars reach by which
an aperture is called uncontaminated. 6: the notes say what the catalogue of the neighbours lacks."""
FORCED = 2
"""2: bias and dark are one level: a part in ten million."""
NEB = 3
"""2: an aperture that lacks half the frames, or the window, clears no star. 3: how far the catalogue
falls short is said without any neighbour, too."""
EPHEMERIS = 3
"""2: filters of a night are fitted together, point by point. 3: errors know that trend terms were chosen."""
ZERO_POINT = 3
"""2: transformations end where they hold for giants only. 3: rp from Gaia was 0.6 mag too bright."""
REPORT = 4
"""2: settings as they are written; the map of bad pixels counts pixels. 3: a catalogue that may lack
stars clears no field. 4: scatter in 10 min; the comparison stars that are drawn."""
AIJ = 1

SCIENCE = (
    PREPROCESS
    + MASTERS
    + REGISTRATION
    + TEMPLATE
    + PHOTOMETRY
    + CALIBRATION
    + FORCED
    + NEB
    + EPHEMERIS
    + ZERO_POINT
    + AIJ
)
"""The science version: the sum of the versions of all stages that make numbers.

It grows when any number may have changed, and never else: results of one science
version can be compared, whatever the version of the program. Figures, package and
report have numbers of nobody, and do not count.
"""
