# -*- coding: utf-8 -*-
"""A module whose file name is not ASCII."""


def run(stop):
    stop()  #@accent
