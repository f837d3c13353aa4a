# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Experiments: what this kernel does about TIME-WAIT and ports, tried in network namespaces of their own.

One file for each family of experiments, each experiment in three parts: what theory predicts, a function that makes
figures in a sandbox, and a pure one that judges them. Adding one is adding one entry to the family's table.
"""
