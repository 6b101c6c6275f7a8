"""Looks at a network before and while it is trained: may it be stacked, saved, believed?"""
